/**
 * What Piscina loads in a worker thread. It is CommonJS because Piscina tries `require` first: a thread that is ended while
 * it requires an ES module takes the whole process with it (Node 20: "FATAL ERROR: v8::Module::IsGraphAsync must be used
 * on an instantiated module"). Starts that are refused end their threads at just that time.
 */
module.exports = async (task: never): Promise<void> => {
  const { default: worker } = await import('./worker-entry.ts');
  await worker(task);
};

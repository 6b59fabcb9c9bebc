/**
 * What Piscina loads in the I/O thread. It is CommonJS because Piscina tries `require` first: a thread that is ended while it
 * requires an ES module takes the whole process with it on Node 20.
 */
module.exports = async (task: never): Promise<void> => {
  const { default: serve } = await import('./io-entry.ts');
  serve(task);
};

import type { Install, InstalledWorker } from '@tidemark/actors/internal/worker';
import { badRowHandler } from './bad-rows.ts';
import './collector.ts';
import { FileSink, type FileSinkOptions } from './file-sink.ts';
import { nodeOutside } from './job-outside.adapter.ts';
import type { JobOutside } from './job-environment.ts';
import { jobSpec } from './job-spec.ts';
import { JOB_TASK, JobTask } from './job-task.ts';
import { noteCut, noteProgress } from './progress.ts';
import { Source } from './source.ts';
import { rowReader } from './source-format.ts';
import type { JobHostSays, JobWorkerData, JobWorkerSays } from './worker-messages.ts';

/** A job's side of a worker. Wiring only: makes the task, passes on what the host says. */
export function installJob(worker: InstalledWorker, outside: JobOutside): ReturnType<Install> {
  const data = worker.data as JobWorkerData;
  const { runtime } = worker;
  const say = (says: JobWorkerSays): void => worker.say(says);
  // It stops the worker at once: no checkpoint can hold what led to the error as done.
  const { fail } = worker;
  const spec = jobSpec(data.url, data.files[0]?.path ?? '', data.key);
  const reader = rowReader(spec.format);
  let newest = data.restored.position;
  let drained = false;
  let readBefore: number | null = null;
  const sinks: FileSink[] = [];
  const applied = (): void => {
    if (sinks.every((sink) => sink.idle)) say({ kind: 'applied', position: newest });
  };
  const sink = (name: string, location: string): FileSink => {
    const made = makeSink(worker, outside, name, location, { applied, fail, full: (full) => onFull(full) });
    sinks.push(made);
    return made;
  };
  const output = data.output === null ? null : sink('output', data.output);
  const badRows = data.badRows.kind === 'file' ? sink('bad', data.badRows.location) : null;
  const source = new Source(
    {
      task: JOB_TASK,
      files: data.files,
      access: outside.files,
      reader,
      rowsPerSecond: data.rowsPerSecond,
      runtime,
      bad: badRowHandler(data.badRows.kind === 'stop', badRows, () => source.stop(), fail),
      fail,
      moved(rows, bad, bytes) {
        noteProgress(data.progress, runtime.thread, rows, bad, bytes);
        // What a checkpoint has brought back was not read by this run.
        readBefore ??= bytes;
        runtime.work.inputBytes = bytes - readBefore;
        if (drained || !source.drained) return;
        drained = true;
        say({ kind: 'drained' });
      },
    },
    runtime.cut,
  );
  const onFull = (full: boolean): void => {
    if (!full) {
      source.resume();
      return;
    }
    source.pause();
    say({ kind: 'checkpoint-wanted', why: 'the output that waits for a checkpoint has reached its bound' });
  };
  const task = new JobTask({
    job: spec.job,
    runtime,
    source,
    output,
    badRows,
    keyOf: reader.keyOf,
    restored: data.restored,
    firstRecord: () => say({ kind: 'first-record' }),
    flipped() {
      // A cut may come before the sources may read: what was restored counts all the same.
      const { rows, bad, bytes } = source.done;
      noteProgress(data.progress, runtime.thread, rows, bad, bytes);
      noteCut(data.progress, runtime.thread);
    },
  });
  runtime.addTask(task);
  worker.onPublished((cut, position) => {
    newest = position;
    for (const each of sinks) each.published(cut, position);
    if (sinks.length === 0) applied();
  });
  return {
    receive(message) {
      const says = message as JobHostSays;
      switch (says.kind) {
        case 'begin':
          source.start();
          for (const each of sinks) each.start();
          say({ kind: 'begun' });
          return;
        case 'end-of-stream':
          task.endOfStream();
          runtime.wake();
          say({ kind: 'ended', counters: task.counters });
          return;
        case 'counters':
          say({ kind: 'ended', counters: task.counters });
          return;
      }
    },
    stop() {
      source.stop();
      for (const each of sinks) each.stop();
    },
  };
}

export default (worker: InstalledWorker): ReturnType<typeof installJob> => installJob(worker, nodeOutside);

function makeSink(
  worker: InstalledWorker,
  { openStore }: JobOutside,
  sink: string,
  location: string,
  tell: Pick<FileSinkOptions, 'applied' | 'fail' | 'full'>,
): FileSink {
  const { runtime } = worker;
  return new FileSink({
    sink,
    type: JOB_TASK,
    task: runtime.thread,
    cut: runtime.cut,
    clock: runtime.clock,
    open: () => openStore(location),
    warn: (code, message) => worker.say({ kind: 'warning', code, message } satisfies JobWorkerSays),
    ...tell,
  });
}

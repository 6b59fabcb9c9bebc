import { runWorker, type WorkerTask } from '@tidemark/actors/internal';
import { Participant, type PartSays } from './participant.ts';
import { markInsideWorker } from './inside.ts';

/** Body of a worker thread of a system that takes checkpoints. Wiring only. */
export default function worker(task: WorkerTask): Promise<void> {
  if (!task.inline) markInsideWorker();
  return runWorker(task, (runtime, say) => {
    const participant = new Participant(runtime, (data: PartSays) => {
      say({ kind: 'part', data }, data.kind === 'block' ? [data.bytes.buffer as ArrayBuffer] : []);
    });
    runtime.useHooks(participant);
    return {
      published: () => undefined,
      abandon: (cut) => participant.abandon(cut),
    };
  });
}

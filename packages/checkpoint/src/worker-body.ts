import { runWorker, type WorkerSeat } from '@tidemark/actors/internal';
import { Participant, type PartSays } from './participant.ts';

/** Body of a worker of a system that takes checkpoints, wherever it sits. */
export function workerBody(seat: WorkerSeat): Promise<void> {
  return runWorker(seat, (runtime, say) => {
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

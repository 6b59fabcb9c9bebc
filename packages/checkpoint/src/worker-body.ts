import { runWorker, type WorkerSeat } from '@tidemark/actors/internal/worker';
import { INLINE_BYTES_MAX } from './limits.ts';
import { PartLoader } from './part-loader.ts';
import { Participant, type PartSays } from './participant.ts';

/** Body of a worker of a system that takes checkpoints, wherever it sits. */
export function workerBody(seat: WorkerSeat, inlineBytesMax: number = INLINE_BYTES_MAX): Promise<void> {
  return runWorker(seat, (runtime, say) => {
    const participant = new Participant(runtime, inlineBytesMax, (data: PartSays) => {
      say({ kind: 'part', data }, data.kind === 'block' ? [data.block.bytes.buffer as ArrayBuffer] : []);
    });
    runtime.useHooks(participant);
    const loader = new PartLoader(runtime);
    return {
      load: (file) => loader.load(file),
      published: () => undefined,
      abandon: (cut) => participant.abandon(cut),
      spare: (buffers) => participant.blocks.add(buffers),
    };
  });
}

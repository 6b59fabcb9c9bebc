import { threadSeat, type WorkerTask } from '@tidemark/actors/internal/worker';
import { markInsideWorker } from './inside.ts';
import { workerBody } from './worker-body.ts';

/** Entry of a worker thread. Wiring only. */
export default function worker(task: WorkerTask): Promise<void> {
  if (!task.inline) markInsideWorker();
  return workerBody(threadSeat(task));
}

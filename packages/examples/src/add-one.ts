import { CheckpointConfig, Job } from 'tidemark';

/** The original example: adds one to every value. Each result reaches the output exactly once, whatever crashes. */
export class AddOne extends Job<string, number> {
  override setup() {
    this.setCheckpoint(
      new CheckpointConfig({ storeType: 'file', location: './checkpoints', schedule: '0 */5 * * * *' }),
    );
  }

  override process(key: string, value: number) {
    this.emit(key, value + 1);
  }
}

await AddOne.main(import.meta);

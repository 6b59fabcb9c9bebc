import type { Compression, CopyOptions, KeepOptions, ScheduleOption } from '@tidemark/checkpoint';
import { insideWorker, parseKeep, parseSchedule } from '@tidemark/checkpoint/internal/worker';
import { JobError } from './errors.ts';

export interface CheckpointConfigOptions {
  readonly storeType: 'file' | 'hdfs' | 's3' | 'memory';
  /** Folder or URL. */
  readonly location: string;
  /** `250ms`, `1s`, `5m`, a cron expression with six fields: `0 *\/5 * * * *`, or more than that as an object. */
  readonly schedule: ScheduleOption;
  /** Time zone of a cron schedule, e.g. `Europe/Berlin`. */
  readonly timezone?: string;
  /** Checkpoints kept at least: so many of the newest (10 when not given), and of hours, days and weeks. `--keep…` win over it. */
  readonly keep?: number | KeepOptions;
  /** How parts are stored: `none` when not given, `gzip`, `zstd` (Node 22.15 or later), `snappy` (with the package of that name). */
  readonly compression?: Compression;
  /** Bytes of a checkpoint that may wait for the store, 512 MiB when not given: with more, that checkpoint is declined. */
  readonly captureBytesMax?: number;
  /** Copies of the checkpoints in other stores, each on a schedule of its own. */
  readonly copies?: readonly CopyOptions[];
}

const TYPES = ['file', 'hdfs', 's3', 'memory'];

/**
 * Where a job keeps its checkpoints, and when it takes them. `--store` and `--schedule` win over it.
 *
 * @throws JobError `CONFIG_INVALID`; CheckpointError `KEEP_INVALID`
 * @throws CheckpointError `SCHEDULE_INVALID`
 * @example
 * this.setCheckpoint(new CheckpointConfig({ storeType: 'file', location: './checkpoints', schedule: '0 *\/5 * * * *' }));
 */
export class CheckpointConfig {
  readonly storeType: 'file' | 'hdfs' | 's3' | 'memory';
  readonly location: string;
  readonly schedule: ScheduleOption;
  readonly timezone: string | undefined;
  readonly keep: number | KeepOptions | undefined;
  readonly compression: Compression | undefined;
  readonly captureBytesMax: number | undefined;
  readonly copies: readonly CopyOptions[];

  constructor(options: CheckpointConfigOptions) {
    if (!TYPES.includes(options.storeType)) {
      throw new JobError(
        'CONFIG_INVALID',
        `storeType ${JSON.stringify(options.storeType)}: expected one of ${TYPES.join(', ')}`,
      );
    }
    const { storeType, location, schedule } = options;
    if (typeof location !== 'string' || location === '' || schedule === undefined || schedule === '') {
      throw new JobError('CONFIG_INVALID', 'a CheckpointConfig needs a location and a schedule');
    }
    // Whatever is wrong with it is found where it is written. A worker has no use for it: the host has read it before.
    if (!insideWorker()) {
      parseSchedule(schedule, options.timezone);
      parseKeep(options.keep);
    }
    const scheme = /^([a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
    const fits = {
      file: [undefined, 'file'],
      memory: [undefined, 'memory'],
      hdfs: ['hdfs', 'webhdfs', 'swebhdfs'],
      s3: ['s3'],
    };
    if (!(fits[storeType] as (string | undefined)[]).includes(scheme)) {
      throw new JobError('CONFIG_INVALID', `location ${JSON.stringify(location)} is not of storeType '${storeType}'`);
    }
    this.storeType = storeType;
    this.location = storeType === 'memory' && scheme === undefined ? `memory:${location}` : location;
    this.schedule = schedule;
    this.timezone = options.timezone;
    this.keep = options.keep;
    this.compression = options.compression;
    this.captureBytesMax = options.captureBytesMax;
    this.copies = options.copies ?? [];
  }
}

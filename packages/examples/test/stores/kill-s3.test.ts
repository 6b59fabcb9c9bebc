import { describeKills } from './kills.ts';

await describeKills('s3');

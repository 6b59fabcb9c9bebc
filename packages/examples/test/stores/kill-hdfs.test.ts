import { describeKills } from './kills.ts';

await describeKills('hdfs');

import { crashAtEveryCall } from './syscalls.ts';

crashAtEveryCall();

import { crashAtEveryCall } from '../test/faults/syscalls.ts';

crashAtEveryCall();

import { errorsAtEveryCall } from '../test/faults/errno.ts';

errorsAtEveryCall();

import { errorsAtEveryCall } from './errno.ts';

errorsAtEveryCall();

import { deaths } from '../test/faults/deaths.ts';

deaths();

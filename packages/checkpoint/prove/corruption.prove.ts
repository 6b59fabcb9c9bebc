import { corruptions } from '../test/faults/corruption.ts';

corruptions();

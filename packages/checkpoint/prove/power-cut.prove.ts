import { powerCuts } from '../test/faults/power-cut.ts';

powerCuts();

import { powerCuts } from './power-cut.ts';

powerCuts();

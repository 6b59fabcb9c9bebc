import { deaths } from './deaths.ts';

deaths();

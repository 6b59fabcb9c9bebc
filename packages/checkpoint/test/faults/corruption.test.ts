import { corruptions } from './corruption.ts';

corruptions();

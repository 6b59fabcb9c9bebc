export { Chance } from './chance.ts';
export { ManualClock } from './manual-clock.ts';
export { Network } from './network.ts';
export { settled } from './settled.adapter.ts';

export { ManualClock, settled } from '@tidemark/actors/testing/internal';

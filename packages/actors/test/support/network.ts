export { Network } from '@tidemark/actors/testing/internal';

import { order } from './support/order.ts';

order({ eachOverFaults: 6_000 });

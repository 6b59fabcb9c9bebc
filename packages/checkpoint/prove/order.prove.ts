import { order } from '../test/support/order.ts';

order({ eachOverFaults: 15_625 });

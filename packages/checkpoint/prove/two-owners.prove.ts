import { twoOwners } from '../test/faults/two-owners.ts';
import { zombies } from '../test/faults/zombies.ts';

twoOwners();
zombies();

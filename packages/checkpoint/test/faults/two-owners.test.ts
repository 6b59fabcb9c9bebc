import { twoOwners } from './two-owners.ts';
import { zombies } from './zombies.ts';

twoOwners();
zombies();

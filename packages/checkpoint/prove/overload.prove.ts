import { overload } from '../test/support/overload.ts';

overload({ warmS: 20, seconds: 60, sizes: [2_000, 20_000] });

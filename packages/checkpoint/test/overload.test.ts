import { overload } from './support/overload.ts';

overload({ warmS: 3, seconds: 3, sizes: [2_000] });

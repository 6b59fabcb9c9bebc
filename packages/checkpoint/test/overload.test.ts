import { overload } from './support/overload.ts';

overload({ warmS: 6, seconds: 3, sizes: [2_000] });

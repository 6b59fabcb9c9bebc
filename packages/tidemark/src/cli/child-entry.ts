import { childMain } from './child-main.adapter.ts';
import { loadEngine } from './engine.ts';

await childMain(loadEngine);

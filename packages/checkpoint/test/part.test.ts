import { describe, it } from 'vitest';

// Being written; taken.
describe('part', () => {
  it.todo('is on its way');
});

import { describe, it } from 'vitest';

// Being written; taken.
describe('owner', () => {
  it.todo('is on its way');
});

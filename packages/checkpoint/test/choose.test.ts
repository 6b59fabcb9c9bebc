import { describe, it } from 'vitest';

// Being written; taken.
describe('choose', () => {
  it.todo('is on its way');
});

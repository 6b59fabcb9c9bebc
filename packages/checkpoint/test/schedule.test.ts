import { describe, it } from 'vitest';

// Being written; taken.
describe('schedule', () => {
  it.todo('is on its way');
});

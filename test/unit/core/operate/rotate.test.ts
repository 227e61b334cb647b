import { describe, expect, it } from 'vitest';
import { type PendingPassword, rotatePassword } from '../../../../core/operate/rotate.ts';

/** A secret and a domain; any call may be the last before the process is killed. */
class World {
  inUse = { version: '0', username: 'master', password: 'old' };
  pending: PendingPassword | undefined;
  inDomain = 'old';
  callsLeft = Number.POSITIVE_INFINITY;
  #generated = 0;

  /** @param done whether the last call still has its effect */
  async #call<T>(effect: () => T, done: boolean): Promise<T> {
    this.callsLeft -= 1;
    if (this.callsLeft < 0 && !done) throw new Error('killed');
    const result = effect();
    if (this.callsLeft < 0) throw new Error('killed');
    return result;
  }

  run(callsLeft: number, dyingCallsHaveEffect: boolean) {
    this.callsLeft = callsLeft;
    const call = <T>(effect: () => T) => this.#call(effect, dyingCallsHaveEffect);
    const secret = {
      pending: () => call(() => this.pending),
      prepare: () =>
        call(() => {
          this.#generated += 1;
          const name = String(this.#generated);
          this.pending = { version: name, username: 'master', password: `new-${name}` };
          return this.pending;
        }),
      use: (given: PendingPassword) =>
        call(() => {
          this.inUse = given;
          this.pending = undefined;
        }),
    };
    const setPassword = ({ password }: { password: string }) =>
      call(() => {
        this.inDomain = password;
      });
    return rotatePassword(secret, setPassword, () => {});
  }
}

describe('a new password', () => {
  it('is in the domain and in use', async () => {
    const world = new World();
    await world.run(Number.POSITIVE_INFINITY, true);
    expect(world).toMatchObject({ inDomain: 'new-1', inUse: { password: 'new-1' } });
  });

  it.each([true, false])(
    'is known wherever a run is killed, and the next run finishes it',
    async (effect) => {
      for (let calls = 0; calls < 4; calls += 1) {
        const world = new World();
        await expect(world.run(calls, effect)).rejects.toThrow('killed');
        // Whatever the domain asks for is stored.
        expect([world.inUse.password, world.pending?.password]).toContain(world.inDomain);
        const taken = world.inDomain !== 'old';
        await world.run(Number.POSITIVE_INFINITY, true);
        expect(world.inUse.password).toBe(world.inDomain);
        expect(world.inDomain).not.toBe('old');
        // No second password while the domain still has the first to take.
        if (taken && calls < 3) expect(world.inDomain).toBe('new-1');
      }
    },
  );
});

/** A user's secret: the password in use, and at most one pending. */
export interface UserSecret {
  /** A password that an interrupted run has stored, and that is not in use. */
  pending(): Promise<PendingPassword | undefined>;
  /** Generates a password and stores it as pending. */
  prepare(): Promise<PendingPassword>;
  /** Makes the pending password the one in use. */
  use(pending: PendingPassword): Promise<void>;
}

export interface PendingPassword {
  /** Of the secret. */
  version: string;
  username: string;
  password: string;
}

/** Sets a user's password where it is checked; returns once it is valid there. */
export type SetPassword = (user: Omit<PendingPassword, 'version'>) => Promise<void>;

/**
 * Changes a user's password. The new one is first stored beside the old one, then set in OpenSearch, and only then becomes
 * the one that programs read. So an interrupted run loses nothing, and the next run continues with the same password.
 */
export async function rotatePassword(
  secret: UserSecret,
  setPassword: SetPassword,
  onStep: (step: string) => void,
): Promise<void> {
  const interrupted = await secret.pending();
  onStep(interrupted ? 'Continuing with the password of an interrupted run' : 'Storing a new password');
  const pending = interrupted ?? (await secret.prepare());
  onStep('Setting it, which may take the domain some minutes');
  await setPassword(pending);
  onStep('Switching the secret to it');
  await secret.use(pending);
}

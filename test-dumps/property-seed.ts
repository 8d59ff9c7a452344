// Property tests try the same inputs in each run, so that a failure is somebody's change; PROPERTY_SEED=N tries others.
import fc from 'fast-check';

const seed = Number(process.env['PROPERTY_SEED'] ?? 1);
if (!Number.isSafeInteger(seed)) throw new Error('PROPERTY_SEED must be a number');
fc.configureGlobal({ seed });

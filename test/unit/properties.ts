import fc from 'fast-check';

/** On a busy machine a property is tried on fewer inputs; it does not fail for want of time. */
fc.configureGlobal({ interruptAfterTimeLimit: 20_000 });

// What all tests together come to: the last line of `npm test`.

export const nothingRun = { passed: 0, failed: 0, skipped: 0 };

/**
 * @param counts of the runs before
 * @param report what vitest's JSON reporter wrote, or undefined if it wrote nothing
 * @param ok whether vitest ended well
 */
export function withReport(counts, report, ok) {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {};
  // A file that cannot be loaded has no tests that could fail.
  const unseen = !ok && numFailedTests === 0 ? 1 : 0;
  return {
    passed: counts.passed + numPassedTests,
    failed: counts.failed + numFailedTests + unseen,
    skipped: counts.skipped + numPendingTests + numTodoTests,
  };
}

/** @param counts of all runs */
export const withFailure = (counts) => ({ ...counts, failed: counts.failed + 1 });

/** @param counts of all runs */
export const lastLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

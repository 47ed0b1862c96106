/** For tests that are not about them: on a busy machine a search process takes its time to start and to answer. */
export const patientBounds = { waitMs: 60_000, turnMs: 30_000 };

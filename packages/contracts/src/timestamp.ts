/** The time now as every timestamp of the contract has it: whole seconds since 1970 (docs/api.md §1). */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

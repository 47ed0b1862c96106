/** How much is measured: `tiny` only shows that a case works. */
export interface Scale {
  tiny: boolean;
  rounds: number;
}

// Loaded before an app: from the first line on, the wall clock of its process is wrong by WRONG_BY_SECONDS.
const wrongBy = Number(process.env.WRONG_BY_SECONDS) * 1000;
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RightDate.now() + wrongBy] : args));
  }

  static now() {
    return RightDate.now() + wrongBy;
  }
};

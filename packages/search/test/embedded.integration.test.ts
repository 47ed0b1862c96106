import { contractSuite } from './contract/suite.ts';
import { openEmbedded } from './engines.ts';

contractSuite('embedded', openEmbedded);

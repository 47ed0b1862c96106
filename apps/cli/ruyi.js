#!/usr/bin/env node
// What npm links as `ruyi`: it is there, and may be executed, before the sources are compiled.
import './dist/main.js';

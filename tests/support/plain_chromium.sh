#!/bin/sh
# Chromium without what it prepares beside each window for an address that nobody types: two pages of its own, in a process that
# takes as much of the processor as a page under test. Of two lists of features that are switched off only the last one counts, and
# Playwright gives one: it is made longer.
for argument do
  shift
  case $argument in
    --disable-features=*) argument=$argument,WebUIOmniboxPopup,WebUIOmniboxAimPopup ;;
  esac
  set -- "$@" "$argument"
done
exec chromium "$@"

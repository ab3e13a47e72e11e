/*
 * metrics.c: what is counted.
 */
#include "metrics.h"

Metrics		metrics;

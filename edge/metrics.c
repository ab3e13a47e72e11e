/*
 * metrics.c
 *		What is counted.
 */
#include "metrics.h"

Metrics		metrics;

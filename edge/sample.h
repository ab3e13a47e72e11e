/*
 * sample.h
 *		The commented configuration file, made from the table of options.
 */
#ifndef EDGE_SAMPLE_H
#define EDGE_SAMPLE_H

#include <stdio.h>

/* Writes a file in which each option stands as a comment with its default. */
extern void sample_write(FILE *out);

#endif

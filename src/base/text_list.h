/*
 * text_list.h
 *		A list of texts, as settings and their readers pass them on.
 */
#ifndef PKT_TEXT_LIST_H
#define PKT_TEXT_LIST_H

typedef struct TextList
{
	int			n;
	char	  **items;
} TextList;

#endif							/* PKT_TEXT_LIST_H */

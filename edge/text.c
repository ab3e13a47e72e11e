/*
 * text.c
 *		Memory that is freed and wiped together, texts that grow, and the forms in
 *		which texts are written.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define POOL_CHUNK 4000

typedef struct Chunk
{
	struct Chunk *next;
	size_t		used;
	size_t		size;
				_Alignas(16) char data[];
} Chunk;

struct Pool
{
	Chunk	   *chunks;
};

static void *
need(void *memory)
{
	if (memory == NULL)
	{
		fputs("pk_tracking_httpd: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *
must_alloc(size_t size)
{
	return need(calloc(1, size));
}

void *
must_realloc(void *old, size_t size)
{
	return need(realloc(old, size));
}

char *
must_strdup(const char *str)
{
	return need(strdup(str));
}

Pool *
pool_create(void)
{
	return must_alloc(sizeof(Pool));
}

void
pool_free(Pool *pool)
{
	Chunk	   *next;

	if (pool == NULL)
		return;
	for (Chunk *chunk = pool->chunks; chunk != NULL; chunk = next)
	{
		next = chunk->next;
		explicit_bzero(chunk->data, chunk->used);
		free(chunk);
	}
	free(pool);
}

void *
pool_alloc(Pool *pool, size_t size)
{
	Chunk	   *chunk = pool->chunks;
	void	   *result;

	size = (size + 15) & ~(size_t) 15;
	if (chunk == NULL || chunk->size - chunk->used < size)
	{
		size_t		room = size > POOL_CHUNK / 2 ? size : POOL_CHUNK;

		chunk = need(malloc(sizeof(Chunk) + room));
		chunk->used = 0;
		chunk->size = room;

		/* a large one goes behind the first, which still has room */
		if (room == size && pool->chunks != NULL)
		{
			chunk->next = pool->chunks->next;
			pool->chunks->next = chunk;
		}
		else
		{
			chunk->next = pool->chunks;
			pool->chunks = chunk;
		}
	}
	result = chunk->data + chunk->used;
	chunk->used += size;
	return result;
}

char *
pool_strndup(Pool *pool, const char *str, size_t len)
{
	char	   *copy = pool_alloc(pool, len + 1);

	memcpy(copy, str, len);
	copy[len] = '\0';
	return copy;
}

char *
pool_strdup(Pool *pool, const char *str)
{
	return pool_strndup(pool, str, strlen(str));
}

/* Room for len more bytes and the zero.  What moves is wiped where it was. */
static void
reserve(Text *text, size_t len)
{
	size_t		size = text->size > 0 ? text->size : 256;
	char	   *data;

	if (text->data != NULL && text->size - text->len > len)
		return;
	while (size - text->len <= len)
		size *= 2;
	data = need(malloc(size));
	if (text->data != NULL)
	{
		memcpy(data, text->data, text->len);
		explicit_bzero(text->data, text->len);
		free(text->data);
	}
	text	  ->data = data;
	text	  ->size = size;
}

void
text_add(Text *text, const void *data, size_t len)
{
	reserve(text, len);
	if (len > 0)
		memcpy(text->data + text->len, data, len);
	text	  ->len += len;
	text	  ->data[text->len] = '\0';
}

void
text_add_str(Text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

void
text_add_char(Text *text, char c)
{
	text_add(text, &c, 1);
}

void
text_printf(Text *text, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	reserve(text, (size_t) len);
	va_start(args, format);
	vsnprintf(text->data + text->len, (size_t) len + 1, format, args);
	va_end(args);
	text	  ->len += (size_t) len;
}

void
text_free(Text *text)
{
	if (text->data != NULL)
	{
		explicit_bzero(text->data, text->len);
		free(text->data);
	}
	memset(text, 0, sizeof(Text));
}

size_t
utf8_length(const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *) str;
	size_t		n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* too long a form, a half of a pair, or beyond the last character */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *
utf8_repair(Pool *pool, const char *str)
{
	size_t		len = strlen(str);
	char	   *copy;
	char	   *out;

	for (size_t i = 0;; i++)
	{
		if (i == len)
			return pool_strndup(pool, str, len);
		if ((unsigned char) str[i] >= 0x80)
			break;
	}
	out = copy = pool_alloc(pool, 3 * len + 1);
	for (size_t i = 0; i < len;)
	{
		size_t		n = utf8_length(str + i, len - i);

		memcpy(out, n > 0 ? str + i : "\xef\xbf\xbd", n > 0 ? n : 3);
		out += n > 0 ? n : 3;
		i += n > 0 ? n : 1;
	}
	*out = '\0';
	return copy;
}

void
text_add_json(Text *text, const char *str)
{
	size_t		len = strlen(str);

	reserve(text, len + 2);
	text_add_char(text, '"');
	for (size_t i = 0; i < len;)
	{
		unsigned char c = (unsigned char) str[i];
		size_t		n = utf8_length(str + i, len - i);

		if (n == 0)
			text_add_str(text, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			text_printf(text, "\\%c", c);
		else if (c < 0x20)
			text_printf(text, "\\u%04x", c);
		else
			text_add(text, str + i, n);
		i += n > 0 ? n : 1;
	}
	text_add_char(text, '"');
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes one character of a query string at *p, which is moved on. */
static char
query_char(const char **p)
{
	const char *s = (*p)++;

	if (*s == '+')
		return ' ';
	if (*s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0)
	{
		*p += 2;
		return (char) (hex_digit(s[1]) * 16 + hex_digit(s[2]));
	}
	return *s;
}

bool
query_value(const char *query, const char *name, char *value, size_t size)
{
	size_t		name_len = strlen(name);
	bool		found = false;

	if (query == NULL)
		return false;
	for (const char *p = query; *p != '\0';)
	{
		const char *end = strchrnul(p, '&');
		const char *q = p;
		size_t		i = 0;
		bool		same = true;

		/* a name may be escaped, too */
		while (q < end && *q != '=' && same)
		{
			char		c = query_char(&q);

			same = i < name_len && c == name[i];
			i++;
		}
		if (same && i == name_len)
		{
			size_t		n = 0;

			found = true;
			if (q < end)
				q++;
			while (q < end && n + 1 < size)
				value[n++] = query_char(&q);
			value[n] = '\0';
		}
		p = *end == '&' ? end + 1 : end;
	}
	return found;
}

char *
query_decode(Pool *pool, const char *text, size_t len)
{
	char	   *result = pool_alloc(pool, len + 1);
	char	   *out = result;
	const char *end = text +len;

	while (text <end)
	{
		char		c = query_char(&text);

		if (c == '\0')
			return NULL;
		*out++ = c;
	}
	*out = '\0';
	return result;
}

bool
starts_with(const char *str, const char *prefix)
{
	return strncmp(str, prefix, strlen(prefix)) == 0;
}

/* The end of the string that begins at p. */
static const char *
string_end(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++)
	{
		if (*p == '\\' && p[1] != '\0')
			p++;
	}
	return p;
}

/* The value under a name at the top of a JSON object; NULL: there is none. */
static const char *
find_member(const char *json, const char *name)
{
	size_t		name_len = strlen(name);
	int			depth = 0;

	for (const char *p = json; *p != '\0'; p++)
	{
		const char *start = p;
		const char *behind;

		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		if (*p != '"')
			continue;
		p = string_end(p);
		if (*p == '\0')
			return NULL;
		behind = p + 1 + strspn(p + 1, " \t\r\n");
		if (depth == 1 && *behind == ':' && (size_t) (p - start - 1) == name_len &&
			strncmp(start + 1, name, name_len) == 0)
			return behind + 1 + strspn(behind + 1, " \t\r\n");
	}
	return NULL;
}

bool
json_scalar(const char *json, const char *name, char *value, size_t size)
{
	const char *start = find_member(json, name);
	const char *end;

	if (start == NULL || *start == '{' || *start == '[')
		return false;
	end = *start == '"' ? string_end(start) : start + strcspn(start, ",}] \t\r\n");
	if (*start == '"')
		start++;
	snprintf(value, size, "%.*s", (int) (end - start), start);
	return true;
}

/* The four hex digits of an escape at p; -1: they are none. */
static int
json_unit(const char *p)
{
	int			unit = 0;

	for (int i = 0; i < 4; i++)
	{
		if (hex_digit(p[i]) < 0)
			return -1;
		unit = unit * 16 + hex_digit(p[i]);
	}
	return unit;
}

/* Writes a character as UTF-8; returns what is behind it. */
static char *
put_utf8(char *out, int c)
{
	int			more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const int first[] = {0, 0xc0, 0xe0, 0xf0};

	*out++ = (char) (first[more] | c >> (6 * more));
	while (more-- > 0)
		*out++ = (char) (0x80 | (c >> (6 * more) & 0x3f));
	return out;
}

char *
json_text(Pool *pool, const char *json, const char *name)
{
	static const char escaped[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *p = find_member(json, name);
	const char *end;
	char	   *result;
	char	   *out;

	if (p == NULL || *p != '"')
		return NULL;
	end = string_end(p++);
	if (*end != '"')
		return NULL;
	result = out = pool_alloc(pool, (size_t) (end - p) + 1);
	while (p < end)
	{
		const char *at;
		int			c;

		if (*p != '\\')
		{
			*out++ = *p++;
			continue;
		}
		at = p[1] != '\0' ? strchr(escaped, p[1]) : NULL;
		if (at != NULL)
		{
			*out++ = meant[at - escaped];
			p += 2;
			continue;
		}
		c = p[1] == 'u' ? json_unit(p + 2) : -1;
		if (c >= 0xd800 && c < 0xdc00 && p[6] == '\\' && p[7] == 'u')
		{
			int			low = json_unit(p + 8);

			c = low < 0xdc00 || low >= 0xe000 ? -1 :
				0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p += 6;
		}
		if (c <= 0 || (c >= 0xd800 && c < 0xe000))
			return NULL;
		out = put_utf8(out, c);
		p += 6;
	}
	*out = '\0';
	return result;
}

int
json_count(const char *json, const char *name)
{
	const char *p = find_member(json, name);
	int			depth = 0;
	int			n = 0;
	bool		empty = true;

	if (p == NULL || (*p != '[' && *p != '{'))
		return 0;
	for (; *p != '\0'; p++)
	{
		if (strchr(" \t\r\n", *p) != NULL)
			continue;
		if (*p == ']' || *p == '}')
		{
			if (--depth == 0)
				return empty ? 0 : n + 1;
			continue;
		}
		if (depth == 1 && *p == ',')
			n++;
		if (depth > 0)
			empty = false;
		if (*p == '[' || *p == '{')
			depth++;
		else if (*p == '"')
		{
			p = string_end(p);
			if (*p == '\0')
				return 0;
		}
	}
	return 0;
}

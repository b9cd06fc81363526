/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>
#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/header.h"

enum { RX_BYTES = 64 * 1024, CONNECT_TIMEOUT_S = 8, PING_MAX = 64, SENDS_MAX = 4 };

struct exchange_ws {
    struct lws_context *context;
    struct exchange_ws_events events;
    struct exchange_url url;
    size_t frame_max;
    lws_sorted_usec_list_t tick;
    /* the socket */
    struct lws *wsi; /* NULL: none. Its opaque data is this struct until we let it go */
    struct exchange_ws_end end;
    struct buf message; /* fragments so far */
    int64_t message_since_ms;
    struct buf sends[SENDS_MAX]; /* texts to write, LWS_PRE bytes ahead of each */
    size_t send_count;
    char ping[PING_MAX];
    size_t ping_len; /* > 0: to write */
    bool closing;
};

static void sends_clear(struct exchange_ws *w)
{
    for (size_t i = 0; i < w->send_count; i++)
        buf_free(&w->sends[i]);
    w->send_count = 0;
    w->ping_len = 0;
    w->closing = false;
}

/* The socket is gone or no longer ours. */
static void forget(struct exchange_ws *w)
{
    w->wsi = NULL;
    buf_clear(&w->message);
    w->message_since_ms = 0;
    sends_clear(w);
}

static void ended(struct exchange_ws *w)
{
    struct exchange_ws_end end = w->end;

    forget(w);
    w->events.closed(w->events.ctx, &end);
}

static void retry_after_read(struct exchange_ws *w, struct lws *wsi)
{
    char text[16];
    int n = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_RETRY_AFTER);

    if (n > 0)
        (void)exchange_seconds_read(text, (size_t)n, &w->end.retry_after_s);
}

static void connection_failed(struct exchange_ws *w, struct lws *wsi, const char *why, size_t len)
{
    w->end.http_status = (int)lws_http_client_http_response(wsi);
    if (w->end.http_status >= 300)
        retry_after_read(w, wsi);
    if (w->end.text[0] == '\0' && why != NULL && len > 0)
        snprintf(w->end.text, sizeof(w->end.text), "%.*s", (int)len, why);
    ended(w);
}

/* The reason for a refused certificate; OpenSSL itself does the refusing. */
static int certificate_seen(X509_STORE_CTX *store, SSL *ssl, bool good, struct exchange_ws *w)
{
    int e = X509_STORE_CTX_get_error(store);

    (void)ssl;
    if (!good && w != NULL && w->end.text[0] == '\0')
        snprintf(w->end.text, sizeof(w->end.text), "TLS certificate refused: %s",
                 X509_verify_cert_error_string(e));
    return 0;
}

static int oversize(struct exchange_ws *w)
{
    w->end.oversize = true;
    snprintf(w->end.text, sizeof(w->end.text), "message of more than %zu bytes", w->frame_max);
    return -1;
}

static int received(struct exchange_ws *w, struct lws *wsi, const char *bytes, size_t len)
{
    bool final = lws_is_final_fragment(wsi);

    if (w->message_since_ms == 0 && (len > 0 || !final))
        w->message_since_ms = clock_mono_ms();
    if (len + lws_remaining_packet_payload(wsi) > w->frame_max - w->message.len)
        return oversize(w);
    if (!final) {
        buf_add(&w->message, bytes, len);
        return 0;
    }
    w->message_since_ms = 0;
    if (w->message.len > 0) {
        buf_add(&w->message, bytes, len);
        w->events.message(w->events.ctx, w->message.data, w->message.len);
        buf_clear(&w->message);
    } else if (len > 0) {
        w->events.message(w->events.ctx, bytes, len);
    }
    return w->wsi == wsi ? 0 : -1;
}

static int write_ping(struct exchange_ws *w, struct lws *wsi)
{
    unsigned char bytes[LWS_PRE + PING_MAX];
    size_t len = w->ping_len;

    memcpy(bytes + LWS_PRE, w->ping, len);
    w->ping_len = 0;
    return lws_write(wsi, bytes + LWS_PRE, len, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int write_text(struct exchange_ws *w, struct lws *wsi)
{
    struct buf text = w->sends[0];
    int n;

    w->send_count--;
    memmove(w->sends, w->sends + 1, w->send_count * sizeof(w->sends[0]));
    n = lws_write(wsi, (unsigned char *)text.data + LWS_PRE, text.len - LWS_PRE, LWS_WRITE_TEXT);
    buf_free(&text);
    return n < 0 ? -1 : 0;
}

static int writeable(struct exchange_ws *w, struct lws *wsi)
{
    int e = 0;

    if (w->closing) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    if (w->send_count > 0)
        e = write_text(w, wsi);
    else if (w->ping_len > 0)
        e = write_ping(w, wsi);
    if (w->send_count > 0 || w->ping_len > 0)
        lws_callback_on_writable(wsi);
    return e;
}

static void peer_closes(struct exchange_ws *w, const unsigned char *bytes, size_t len)
{
    char quoted[80];

    if (len < 2)
        snprintf(w->end.text, sizeof(w->end.text), "closed by the exchange");
    else
        snprintf(w->end.text, sizeof(w->end.text), "closed by the exchange, code %d %s",
                 bytes[0] << 8 | bytes[1],
                 log_quote(quoted, sizeof(quoted), (const char *)bytes + 2, len - 2));
}

static int socket_event(struct exchange_ws *w, struct lws *wsi, enum lws_callback_reasons reason,
                        void *in, size_t len)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        connection_failed(w, wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        w->wsi = wsi;
        w->end.opened = true;
        w->events.open(w->events.ctx);
        return w->wsi == wsi ? 0 : -1;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return received(w, wsi, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        w->events.pong(w->events.ctx, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writeable(w, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closes(w, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        ended(w);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        /* An upgrade that times out within the answer's header ends without any other word. */
        if (w->wsi == wsi)
            ended(w);
        return 0;
    default:
        return 0;
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct exchange_ws *w = lws_get_opaque_user_data(wsi);

    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION)
        return certificate_seen(user, in, len != 0, w);
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        w = lws_context_user(lws_get_context(wsi));
        w->events.woken(w->events.ctx);
        return 0;
    }
    if (w != NULL)
        return socket_event(w, wsi, reason, in, len);
    /* A socket that we let go must not linger. */
    return reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_CLIENT_ESTABLISHED ? -1
                                                                                              : 0;
}

static void tick(lws_sorted_usec_list_t *sul)
{
    struct exchange_ws *w = lws_container_of(sul, struct exchange_ws, tick);

    lws_sul_schedule(w->context, 0, &w->tick, tick, WS_TICK_MS * LWS_US_PER_MS);
    w->events.tick(w->events.ctx);
}

static void library_log(int level, const char *line)
{
    char quoted[256];

    (void)level;
    log_debug("exchange.libwebsockets", "text=%s",
              log_quote(quoted, sizeof(quoted), line, strcspn(line, "\n")));
}

static const struct lws_protocols protocols[] = {
    {.name = "upbit", .callback = callback, .rx_buffer_size = RX_BYTES},
    {.name = NULL},
};

/* What libwebsockets' permessage-deflate says of a frame, in its private enum. */
enum { DEFLATE_UNKNOWN = 0, DEFLATE_NOT_COMPRESSED = 5 };

/* libwebsockets 4.1 gives a frame that is not compressed (a pong with payload, or a message that
 * the exchange chose not to deflate) to the callback for ever: told "not compressed", its reader
 * does not count the bytes as taken (its issues 2749 and 2794). Told "unknown" it does. */
/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static int inflate(struct lws_context *context, const struct lws_extension *ext, struct lws *wsi,
                   enum lws_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    int n = lws_extension_callback_pm_deflate(context, ext, wsi, reason, user, in, len);

    return reason == LWS_EXT_CB_PAYLOAD_RX && n == DEFLATE_NOT_COMPRESSED ? DEFLATE_UNKNOWN : n;
}

static const struct lws_extension extensions[] = {
    {"permessage-deflate", inflate,
     "permessage-deflate; client_no_context_takeover; client_max_window_bits"},
    {NULL, NULL, NULL},
};

struct exchange_ws *exchange_ws_new(const struct exchange_url *url, const char *ca_file,
                                    size_t frame_max, const struct exchange_ws_events *events)
{
    struct exchange_ws *w = mem_zalloc(sizeof(*w));
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .extensions = extensions,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = *ca_file != '\0' ? ca_file : NULL,
        .http_proxy_address = "", /* not even the environment's */
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = w,
        .pt_serv_buf_size = RX_BYTES,
        .fd_limit_per_thread = 16,
        .timeout_secs = CONNECT_TIMEOUT_S,
        .connect_timeout_secs = CONNECT_TIMEOUT_S,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, library_log);
    w->url = *url;
    w->frame_max = frame_max;
    w->events = *events;
    w->context = lws_create_context(&info);
    if (w->context == NULL) {
        log_error("exchange.websocket_failed", "text=\"the WebSocket library did not start\"");
        free(w);
        return NULL;
    }
    lws_sul_schedule(w->context, 0, &w->tick, tick, WS_TICK_MS * LWS_US_PER_MS);
    return w;
}

void exchange_ws_free(struct exchange_ws **wp)
{
    struct exchange_ws *w = *wp;

    if (w == NULL)
        return;
    exchange_ws_drop(w);
    lws_sul_cancel(&w->tick);
    lws_context_destroy(w->context);
    buf_free(&w->message);
    free(w);
    *wp = NULL;
}

bool exchange_ws_serve(struct exchange_ws *w)
{
    return lws_service(w->context, 0) >= 0;
}

void exchange_ws_wake(struct exchange_ws *w)
{
    lws_cancel_service(w->context);
}

void exchange_ws_connect(struct exchange_ws *w, const char *address)
{
    struct lws_client_connect_info i = {
        .context = w->context,
        .address = address,
        .port = w->url.port,
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (w->url.tls ? LCCSCF_USE_SSL : 0),
        .path = "/websocket/v1",
        .host = w->url.authority,
        .origin = NULL,
        .local_protocol_name = protocols[0].name,
        .alpn = "http/1.1",
        .ietf_version_or_minus_one = -1,
        .opaque_user_data = w,
    };
    struct lws *wsi;

    REQUIRE(w->wsi == NULL);
    w->end = (struct exchange_ws_end){0};
    wsi = lws_client_connect_via_info(&i);
    if (wsi == NULL)
        ended(w);
    else
        w->wsi = wsi;
}

bool exchange_ws_send(struct exchange_ws *w, const char *text, size_t len)
{
    static const char room[LWS_PRE];
    struct buf *b;

    REQUIRE(w->wsi != NULL);
    if (w->send_count == SENDS_MAX)
        return false;
    b = &w->sends[w->send_count++];
    *b = (struct buf){0};
    buf_add(b, room, LWS_PRE);
    buf_add(b, text, len);
    lws_callback_on_writable(w->wsi);
    return true;
}

void exchange_ws_ping(struct exchange_ws *w, const char *bytes, size_t len)
{
    REQUIRE(w->wsi != NULL && len > 0 && len <= PING_MAX);
    memcpy(w->ping, bytes, len);
    w->ping_len = len;
    lws_callback_on_writable(w->wsi);
}

void exchange_ws_close(struct exchange_ws *w)
{
    w->closing = true;
    if (w->wsi != NULL)
        lws_callback_on_writable(w->wsi);
}

void exchange_ws_drop(struct exchange_ws *w)
{
    struct lws *wsi = w->wsi;

    if (wsi == NULL)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    forget(w);
}

int64_t exchange_ws_message_since(const struct exchange_ws *w)
{
    return w->message_since_ms;
}

-- Bodies in LiteLLM's SpendLogs. request is {"model": …, "messages": …} with the messages as logged, or the client's
-- own body where only that was stored; response as logged.
-- From `timed` on, the text is that of litellm.sql; tests/models/test_litellm.py holds the two together.
WITH records AS (
  SELECT
    ingest_sequence, source, format, coalesce(body_errors, CAST(array() AS ARRAY<STRING>)) AS body_errors,
    coalesce(nullif(record_key, ''), sha2(raw_text, 256)) AS native_key,
    from_json(coalesce(normalized_text, raw_text), 'STRUCT<startTime: STRING, model: STRING, model_group: STRING,
      call_type: STRING, messages: STRING, response: STRING, proxy_server_request: STRING, metadata: STRING>') AS r
  FROM bronze.raw_records
),
logged AS (
  SELECT
    ingest_sequence, source, format, native_key,
    filter(body_errors, b -> NOT coalesce(CASE b WHEN 'messages' THEN r.messages WHEN 'response' THEN r.response END
      IN ('', 'redacted-by-litellm'), false)) AS body_errors, nullif(r.startTime, '') AS start_text,
    CAST(NULL AS STRING) AS end_text, CAST(NULL AS STRING) AS first_text,
    nullif(r.model, '') AS model,
    coalesce(CASE WHEN r.call_type IN ('call_mcp_tool', 'list_mcp_tools') THEN nullif(from_json(
      CASE WHEN r.metadata LIKE '{%' AND NOT array_contains(body_errors, 'metadata') THEN r.metadata END,
      'STRUCT<mcp_tool_call_metadata: STRUCT<mcp_server_name: STRING>>').mcp_tool_call_metadata.mcp_server_name, '') END,
      nullif(r.model_group, ''), nullif(r.model, '')) AS endpoint_name,
    CASE WHEN r.messages NOT IN ('', '{}', '[]', 'redacted-by-litellm')
      AND NOT r.messages LIKE '%"redacted-by-litellm"%' THEN r.messages END AS messages,
    CASE WHEN r.response NOT IN ('', '{}', '[]', 'redacted-by-litellm')
      AND NOT r.response LIKE '%"redacted-by-litellm"%' THEN r.response END AS response,
    CASE WHEN r.proxy_server_request LIKE '{"%' AND NOT array_contains(body_errors, 'proxy_server_request')
      THEN r.proxy_server_request END AS client_request
  FROM records
),
timed AS (
  SELECT *, element_at(times, 1) AS event_us, element_at(times, 2) AS end_us, element_at(times, 3) AS first_us
  FROM (
    SELECT *, transform(
      -- Epoch seconds with a fraction, or ISO 8601 with 'T' or a blank; without an offset it is UTC.
      array(start_text, end_text, first_text),
      t -> CASE
        WHEN t RLIKE '^[+-]?[0-9]{1,12}([.][0-9]+)?([eE][+]?[0-9]{1,2})?$'
          AND try_cast(t AS DOUBLE) BETWEEN -62104060800 AND 253370764799
          THEN CAST(try_cast(t AS DECIMAL(24, 6)) * 1000000 AS BIGINT)
        WHEN substring(t, 1, 4) BETWEEN '0002' AND '9998' AND t RLIKE concat(
          '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?',
          ' ?(Z|z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?$')
          THEN unix_micros(try_cast(concat(
            substring(t, 1, 10), ' ', regexp_extract(substring(t, 12), '^[0-9:]{8}([.][0-9]{1,6})?', 0),
            coalesce(nullif(regexp_extract(substring(t, 20), '[+-][0-9]{2}', 0), ''), '+00'), ':',
            coalesce(nullif(regexp_extract(substring(t, 20), '[+-][0-9]{2}:?([0-9]{2})$', 1), ''), '00')
          ) AS TIMESTAMP))
      END) AS times
    FROM logged
  )
),
identified AS (
  -- A UUIDv8: milliseconds of the event, then SHA-256 of source and native key, as in src/tollhouse/ids.py.
  SELECT *,
    CAST(CASE WHEN event_us IS NOT NULL THEN timestampadd(MICROSECOND, event_us, TIMESTAMP '1970-01-01 00:00:00') END
      AS TIMESTAMP) AS event_time,
    CASE WHEN is_in_range THEN to_date(timestampadd(MICROSECOND, event_us, TIMESTAMP '1970-01-01 00:00:00'))
      ELSE DATE '1970-01-01' END AS event_date,
    concat(substring(id_time, 1, 8), '-', substring(id_time, 9, 4), '-8', substring(id_hash, 1, 3),
      '-8', substring(id_hash, 4, 3), '-', substring(id_hash, 7, 12)) AS invocation_id
  FROM (
    SELECT *,
      lower(lpad(hex(CASE WHEN is_in_range THEN event_us DIV 1000 ELSE 0 END), 12, '0')) AS id_time,
      sha2(concat(source, chr(0), native_key), 256) AS id_hash
    FROM (
      SELECT *, coalesce(event_us >= 1420070400000000 AND event_us < 4102444800000000, false) AS is_in_range FROM timed
    )
  )
),
read AS (
  SELECT *,
    -- A member that is not JSON is never parsed: it stands as text.
    CASE WHEN messages LIKE '[%' AND NOT array_contains(body_errors, 'messages')
      THEN from_json(messages, 'ARRAY<STRUCT<role: STRING, content: STRING>>') END AS items,
    CASE WHEN messages LIKE '{%' AND NOT array_contains(body_errors, 'messages')
      THEN from_json(messages, 'MAP<STRING, STRING>') END AS message_object,
    CASE WHEN response LIKE '{%' AND NOT array_contains(body_errors, 'response')
      THEN from_json(response, 'STRUCT<choices: ARRAY<STRUCT<message: STRUCT<content: STRING>, text: STRING>>,
        content: ARRAY<STRUCT<type: STRING, text: STRING>>,
        output: ARRAY<STRUCT<type: STRING, content: ARRAY<STRUCT<type: STRING, text: STRING>>>>,
        candidates: ARRAY<STRUCT<content: STRUCT<parts: ARRAY<STRUCT<text: STRING>>>>>>') END AS answer,
    CASE WHEN response LIKE '[%' AND NOT array_contains(body_errors, 'response')
      THEN from_json(response, 'ARRAY<STRING>') END AS answer_list,
    CASE WHEN messages IS NULL THEN from_json(client_request,
      'STRUCT<messages: ARRAY<STRUCT<role: STRING, content: STRING>>, input: STRING, prompt: STRING>') END AS asked
  FROM (
    -- Not a WHERE: DuckDB pushes that down to the scan and parses the whole record anew for each member in it.
    SELECT *, explode(CASE
      WHEN event_us IS NOT NULL AND coalesce(messages, response, client_request) IS NOT NULL THEN array(1)
      ELSE CAST(array() AS ARRAY<INT>) END) AS kept
    FROM identified
  )
),
worded AS (
  SELECT *,
    coalesce(try_element_at(filter(items, m -> m.role = 'user'), -1).content,
      try_element_at(filter(asked.messages, m -> m.role = 'user'), -1).content, asked.input, asked.prompt,
      CASE WHEN items IS NULL AND message_object IS NULL THEN messages END) AS question,
    coalesce(try_element_at(answer.choices, 1).message.content, try_element_at(answer.choices, 1).text) AS chat_answer,
    array_join(transform(filter(answer.content, t -> t.text <> ''), t -> t.text), '\n') AS anthropic_answer,
    array_join(transform(filter(flatten(transform(filter(answer.output, o -> o.type = 'message'), o -> o.content)),
      t -> t.text <> ''), t -> t.text), '\n') AS responses_answer,
    array_join(transform(filter(try_element_at(answer.candidates, 1).content.parts, t -> t.text <> ''), t -> t.text), '\n')
      AS gemini_answer
  FROM read
)
SELECT
  invocation_id,
  event_date,
  ingest_sequence,
  format AS log_format,
  endpoint_name,
  CASE
    WHEN items IS NOT NULL OR message_object IS NOT NULL
      THEN concat('{', concat_ws(',', model_member, concat('"messages":', messages)), '}')
    WHEN messages IS NOT NULL
      THEN concat('{', concat_ws(',', model_member, substring(to_json(named_struct('messages', messages)), 2)))
    ELSE client_request
  END AS request,
  CASE WHEN answer IS NOT NULL OR answer_list IS NOT NULL OR response IS NULL THEN response
    ELSE substring(to_json(named_struct('r', response)), 6, length(to_json(named_struct('r', response))) - 6) END AS response,
  -- Content is a text, or a list of parts of which the text ones count.
  CASE WHEN parts IS NOT NULL THEN nullif(array_join(transform(
    filter(parts, t -> t.text <> ''), t -> t.text), '\n'), '')
    ELSE question END AS prompt_text,
  nullif(coalesce(nullif(chat_answer, ''), nullif(anthropic_answer, ''), nullif(responses_answer, ''),
    nullif(gemini_answer, ''), CASE WHEN answer IS NULL AND answer_list IS NULL THEN response END), '') AS completion_text,
  CAST(1 AS DOUBLE) AS sampling_fraction,
  filter(array(
    CASE WHEN array_contains(body_errors, 'messages') OR array_contains(body_errors, 'request')
      OR array_contains(body_errors, 'proxy_server_request') THEN 'REQUEST_NOT_JSON' END,
    CASE WHEN array_contains(body_errors, 'response') THEN 'RESPONSE_NOT_JSON' END
  ), c -> c IS NOT NULL) AS logging_error_codes,
  CAST(NULL AS MAP<STRING, STRING>) AS request_headers,
  CAST(NULL AS STRING) AS raw_events,
  CAST(NULL AS STRUCT<milliseconds: ARRAY<BIGINT>, bytes: ARRAY<BIGINT>>) AS stream_events
FROM (
  SELECT *,
    CASE WHEN model IS NOT NULL THEN substring(to_json(named_struct('model', model)), 2,
      length(to_json(named_struct('model', model))) - 2) END AS model_member,
    CASE WHEN question LIKE '[{%' THEN from_json(question, 'ARRAY<STRUCT<type: STRING, text: STRING>>') END AS parts
  FROM worded
)

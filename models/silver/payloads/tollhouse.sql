-- Bodies come from OUTCOME alone; one record speaks for a call, chosen before any JSON is parsed.
-- Rows are chosen by their text: a condition on what was parsed would be pushed below the parsing and parse twice.
WITH speaking AS (
  SELECT max(ingest_sequence) AS ingest_sequence
  FROM bronze.raw_records
  WHERE record_kind = 'OUTCOME' AND (
    raw_text LIKE '%"request_body":%' OR raw_text LIKE '%"response_body":%' OR raw_text RLIKE '"payload_state": ?"oversize"'
  )
  GROUP BY coalesce(record_key, CAST(ingest_sequence AS STRING))
),
parsed AS (
  SELECT
    b.ingest_sequence,
    b.record_key,
    b.body_errors,
    b.format AS log_format,
    from_json(
      coalesce(b.normalized_text, b.raw_text),
      'invocation_id STRING, event_time STRING, endpoint_name STRING, request_body STRING, response_body STRING,
       sampling_fraction STRING, logging_error_codes ARRAY<STRING>, request_headers MAP<STRING, STRING>,
       raw_events STRING, payload_state STRING,
       stream_events STRUCT<milliseconds: ARRAY<STRING>, bytes: ARRAY<STRING>>'
    ) AS r
  FROM bronze.raw_records AS b
  LEFT SEMI JOIN speaking AS s ON b.ingest_sequence = s.ingest_sequence
),
kept AS (
  SELECT
    *,
    try_cast(r.event_time AS TIMESTAMP) AS event_time,
    from_json(
      CASE WHEN NOT array_contains(coalesce(body_errors, array('')), 'request_body') THEN r.request_body END,
      'messages ARRAY<STRUCT<role: STRING, content: STRING>>, input STRING, contents ARRAY<STRUCT<role: STRING, parts: ARRAY<STRUCT<text: STRING>>>>'
    ) AS q,
    from_json(
      CASE WHEN NOT array_contains(coalesce(body_errors, array('')), 'response_body') THEN r.response_body END,
      'choices ARRAY<STRUCT<message: STRUCT<content: STRING>>>, content ARRAY<STRUCT<type: STRING, text: STRING>>,
       output ARRAY<STRUCT<type: STRING, content: ARRAY<STRUCT<type: STRING, text: STRING>>>>,
       candidates ARRAY<STRUCT<content: STRUCT<parts: ARRAY<STRUCT<text: STRING>>>>>'
    ) AS p
  FROM parsed
),
-- The last user message: chat and Anthropic in messages, Responses in input, Gemini in contents.
asked AS (
  SELECT
    *,
    coalesce(
      try_element_at(filter(q.messages, m -> m.role = 'user'), -1).content,
      CASE WHEN q.input LIKE '[%' THEN try_element_at(
        filter(from_json(q.input, 'ARRAY<STRUCT<role: STRING, content: STRING>>'), m -> m.role = 'user'), -1).content
      ELSE q.input END
    ) AS user_content,
    array_join(transform(
      try_element_at(filter(q.contents, c -> coalesce(c.role, 'user') = 'user'), -1).parts, t -> t.text), '\n') AS gemini_text
  FROM kept
)
SELECT
  coalesce(r.invocation_id, record_key, CAST(ingest_sequence AS STRING)) AS invocation_id,
  coalesce(CAST(event_time AS DATE), DATE '1970-01-01') AS event_date,
  ingest_sequence,
  log_format,
  r.endpoint_name AS endpoint_name,
  r.request_body AS request,
  r.response_body AS response,
  coalesce(
    CASE WHEN user_content LIKE '[{%' THEN array_join(transform(
      filter(from_json(user_content, 'ARRAY<STRUCT<type: STRING, text: STRING>>'), t -> t.text IS NOT NULL), t -> t.text), '\n')
    ELSE user_content END,
    gemini_text
  ) AS prompt_text,
  coalesce(
    try_element_at(p.choices, 1).message.content,
    array_join(transform(filter(p.content, t -> t.text IS NOT NULL), t -> t.text), '\n'),
    array_join(flatten(transform(filter(p.output, o -> o.type = 'message'), o -> transform(o.content, t -> t.text))), '\n'),
    array_join(transform(try_element_at(p.candidates, 1).content.parts, t -> t.text), '\n')
  ) AS completion_text,
  coalesce(try_cast(r.sampling_fraction AS DOUBLE), CAST(1 AS DOUBLE)) AS sampling_fraction,
  concat(
    coalesce(r.logging_error_codes, array()),
    filter(array(
      CASE WHEN array_contains(coalesce(body_errors, array('')), 'request_body') THEN 'REQUEST_NOT_JSON' END,
      CASE WHEN array_contains(coalesce(body_errors, array('')), 'response_body') THEN 'RESPONSE_NOT_JSON' END
    ), c -> c IS NOT NULL)
  ) AS logging_error_codes,
  r.request_headers AS request_headers,
  r.raw_events AS raw_events,
  CASE WHEN r.stream_events.milliseconds IS NOT NULL THEN named_struct(
    'milliseconds', transform(r.stream_events.milliseconds, t -> try_cast(t AS BIGINT)),
    'bytes', transform(r.stream_events.bytes, t -> try_cast(t AS BIGINT))
  ) END AS stream_events
FROM asked

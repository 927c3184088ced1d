"""generateContent: what happens to the fields of its requests. snake_case spellings count as the camelCase ones."""

from tollhouse.gateway.translation.treatment import Table, dropped, mapped, refused

_STORED = "it names something stored at the provider, which another provider cannot read"
_SERVER = "a tool that the provider runs"
_NO_FIELD = "others have no field for it"
_LIVE = "it is for live sessions"
_OWN_TOOLS = "it is for the provider's own tools"
_CONFIG = "generationConfig"
_PARTS = "contents[].parts[]"
_RESULT = f"{_PARTS}.functionResponse"
_FUNCTIONS = "tools[].functionDeclarations[]"
_CHOICE = "toolConfig.functionCallingConfig"

FIELDS: Table = {
    **mapped("model", "contents", "systemInstruction", "tools", "toolConfig", _CONFIG),
    **dropped("others have no such thresholds", "safetySettings"),
    **dropped("labels for the provider's own records", "labels"),
    **dropped("a choice among the provider's own tiers", "serviceTier"),
    **dropped("nothing is stored at the provider", "store", neutral=(False,)),
    **refused(_STORED, "cachedContent"),
    **refused("a check that only this provider makes", "modelArmorConfig"),
    **mapped(*(f"{_CONFIG}.{name}" for name in ("temperature", "topP", "topK", "maxOutputTokens", "stopSequences"))),
    **mapped(*(f"{_CONFIG}.{name}" for name in ("seed", "presencePenalty", "frequencyPenalty", "responseMimeType"))),
    **mapped(*(f"{_CONFIG}.{name}" for name in ("responseSchema", "responseJsonSchema", "_responseJsonSchema"))),
    **mapped(*(f"{_CONFIG}.thinkingConfig{name}" for name in ("", ".includeThoughts", ".thinkingBudget"))),
    **mapped(f"{_CONFIG}.thinkingConfig.thinkingLevel"),
    **dropped(_NO_FIELD, *(f"{_CONFIG}.{name}" for name in ("mediaResolution", "audioTimestamp"))),
    **dropped(_NO_FIELD, f"{_CONFIG}.enableEnhancedCivicAnswers", f"{_CONFIG}.enableAffectiveDialog"),
    **dropped("a choice among the provider's own models", f"{_CONFIG}.routingConfig", f"{_CONFIG}.modelConfig"),
    **dropped("a choice among the provider's own models", f"{_CONFIG}.modelSelectionConfig"),
    **refused("others give one answer a request", f"{_CONFIG}.candidateCount", neutral=(1,)),
    **refused("only text is translated", f"{_CONFIG}.responseModalities", neutral=(["TEXT"],)),
    **refused("only text is translated", *(f"{_CONFIG}.{name}" for name in ("speechConfig", "imageConfig"))),
    **refused("only text is translated", *(f"{_CONFIG}.{name}" for name in ("translationConfig", "responseFormat"))),
    **refused("others give no log probabilities", f"{_CONFIG}.responseLogprobs", neutral=(False,)),
    **refused("others give no log probabilities", f"{_CONFIG}.logprobs", neutral=(0,)),
    **mapped("systemInstruction.parts", "systemInstruction.parts[].text"),
    **dropped("system text has no other role", "systemInstruction.role", neutral=("user", "system")),
    **refused("only text is system text", "systemInstruction.parts[].*"),
    **mapped("contents[].role", "contents[].parts", "contents[].role=user", "contents[].role=model"),
    **mapped("contents[].role=function"),
    **refused("not a role of generateContent", "contents[].role=*"),
    **mapped(*(f"{_PARTS}.{name}" for name in ("text", "thought", "thoughtSignature", "inlineData", "fileData"))),
    **mapped(*(f"{_PARTS}.inlineData.{name}" for name in ("mimeType", "data", "displayName"))),
    **mapped(*(f"{_PARTS}.fileData.{name}" for name in ("mimeType", "fileUri", "displayName"))),
    **mapped(*(f"{_PARTS}.functionCall{name}" for name in ("", ".id", ".name", ".args"))),
    **mapped(*(f"{_RESULT}{name}" for name in ("", ".id", ".name", ".response", ".parts", ".parts[].inlineData"))),
    **mapped(*(f"{_RESULT}.parts[].inlineData.{name}" for name in ("mimeType", "data", "displayName"))),
    **mapped(*(f"{_RESULT}.parts[].fileData{name}" for name in ("", ".mimeType", ".fileUri", ".displayName"))),
    **refused("not a kind of result that is translated", f"{_RESULT}.parts[].*"),
    **dropped(_NO_FIELD, *(f"{_RESULT}.parts[].{name}" for name in ("mediaResolution", "partMetadata"))),
    **dropped(_LIVE, *(f"{_RESULT}.{name}" for name in ("willContinue", "scheduling"))),
    **dropped(_LIVE, *(f"{_PARTS}.functionCall.{name}" for name in ("partialArgs", "willContinue"))),
    **dropped(_NO_FIELD, *(f"{_PARTS}.{name}" for name in ("mediaResolution", "partMetadata", "videoMetadata"))),
    **refused("not a kind of content that is translated", f"{_PARTS}.*"),
    **mapped("tools[].functionDeclarations"),
    **refused(_SERVER, "tools[].*"),
    **mapped(*(f"{_FUNCTIONS}.{name}" for name in ("name", "description", "parameters", "parametersJsonSchema"))),
    **dropped(_NO_FIELD, *(f"{_FUNCTIONS}.{name}" for name in ("response", "responseJsonSchema", "behavior"))),
    **mapped(_CHOICE, f"{_CHOICE}.mode", f"{_CHOICE}.allowedFunctionNames"),
    **mapped(*(f"{_CHOICE}.mode={mode}" for mode in ("AUTO", "ANY", "NONE", "MODE_UNSPECIFIED"))),
    **dropped("others promise no such thing of every tool", f"{_CHOICE}.mode=VALIDATED"),
    **refused("not a mode of generateContent", f"{_CHOICE}.mode=*"),
    **dropped(_OWN_TOOLS, "toolConfig.retrievalConfig", "toolConfig.includeServerSideToolInvocations"),
}

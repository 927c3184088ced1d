"""generateContent: what happens to the fields of its requests. snake_case spellings count as the camelCase ones."""

from tollhouse.gateway.translation.treatment import Table, dropped, mapped, refused

_STORED = "it names something stored at the provider, which another provider cannot read"
_SERVER = "a tool that the provider runs"
_CONFIG = "generationConfig"
_PARTS = "contents[].parts[]"

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
    **dropped("others have no field for it", f"{_CONFIG}.mediaResolution", f"{_CONFIG}.audioTimestamp"),
    **dropped("others have no field for it", f"{_CONFIG}.enableEnhancedCivicAnswers"),
    **dropped("a choice among the provider's own models", f"{_CONFIG}.routingConfig", f"{_CONFIG}.modelConfig"),
    **refused("others give one answer a request", f"{_CONFIG}.candidateCount", neutral=(1,)),
    **refused("only text is translated", f"{_CONFIG}.responseModalities", neutral=(["TEXT"],)),
    **refused("only text is translated", f"{_CONFIG}.speechConfig", f"{_CONFIG}.imageConfig"),
    **refused("others give no log probabilities", f"{_CONFIG}.responseLogprobs", neutral=(False,)),
    **refused("others give no log probabilities", f"{_CONFIG}.logprobs", neutral=(0,)),
    **mapped("systemInstruction.parts", "systemInstruction.role", "systemInstruction.parts[].text"),
    **refused("only text is system text", "systemInstruction.parts[].*"),
    **mapped("contents[].role", "contents[].parts", "contents[].role=user", "contents[].role=model"),
    **mapped("contents[].role=function"),
    **refused("not a role of generateContent", "contents[].role=*"),
    **mapped(*(f"{_PARTS}.{name}" for name in ("text", "thought", "thoughtSignature", "inlineData", "fileData"))),
    **mapped(f"{_PARTS}.functionCall", f"{_PARTS}.functionResponse"),
    **dropped("others have no field for it", f"{_PARTS}.mediaResolution", f"{_PARTS}.partMetadata"),
    **dropped("others have no field for it", f"{_PARTS}.videoMetadata"),
    **refused("not a kind of content that is translated", f"{_PARTS}.*"),
    **mapped("tools[].functionDeclarations"),
    **refused(_SERVER, "tools[].*"),
    **mapped(*(f"tools[].functionDeclarations[].{name}" for name in ("name", "description", "parameters"))),
    **mapped("tools[].functionDeclarations[].parametersJsonSchema"),
    **dropped("others have no field for it", "tools[].functionDeclarations[].response"),
    **dropped("others have no field for it", "tools[].functionDeclarations[].responseJsonSchema"),
    **dropped("others have no field for it", "tools[].functionDeclarations[].behavior"),
    **mapped("toolConfig.functionCallingConfig", "toolConfig.functionCallingConfig.mode"),
    **mapped("toolConfig.functionCallingConfig.allowedFunctionNames"),
    **dropped("it is for the provider's own tools", "toolConfig.retrievalConfig"),
    **dropped("it is for the provider's own tools", "toolConfig.includeServerSideToolInvocations"),
}
